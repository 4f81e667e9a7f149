"""The program s_client."""

"""The program s_time."""

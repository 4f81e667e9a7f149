"""What several tests share: throwaway certificates, other people's TLS programs, processes with an end."""

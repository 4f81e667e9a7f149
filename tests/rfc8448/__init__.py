"""The traces of RFC 8448, reproduced byte for byte."""

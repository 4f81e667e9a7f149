"""How a program judges its peer: trust, parameters, DANE, raw keys, stapled statuses, timestamps."""

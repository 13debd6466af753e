"""The seams: what adapters, transports, decoders and the rest guarantee, each written once."""

"""How a call is spelled on the wire: bytes, records, JSON and headers as pure objects, without a socket in sight."""

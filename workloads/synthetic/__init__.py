"""The synthetic location: as many definitions as one asks for."""

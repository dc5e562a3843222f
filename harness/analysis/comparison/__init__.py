"""Two sides measured alike: which is better, by how much, and how sure that is."""

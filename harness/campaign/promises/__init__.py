"""What deployment configurations promise of a code server: text in, sizes and limits out."""

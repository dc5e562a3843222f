"""Claims of sizing guides, judged by measured figures."""

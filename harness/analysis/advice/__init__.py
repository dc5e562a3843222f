"""Settings to ship, why, what headroom they leave, and as lines to paste."""

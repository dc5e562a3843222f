"""The guides on trial, told."""

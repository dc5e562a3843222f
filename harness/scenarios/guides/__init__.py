"""The guides on trial: one file a question, each with what to run and how to judge it."""

"""Campaigns over months: series, change points, what a night has to be red for."""

"""Findings drawn: HTML, SVG and PNG."""

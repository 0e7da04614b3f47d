"""Line icons of the tools, drawn on 24 × 24."""

_PATHS = {
    "undo": "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
    "redo": "m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
    "compare": "M12 3v18M5 5h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1M15 9h2M15 13h2",
    "pin": "M12 16v5M8 4h8l-1 6 3 4H6l3-4z",
    "pixels": "M4 4h16v16H4zM4 12h16M12 4v16M4 4h8v8H4z",
    "keep": "M12 20s-7-4.5-7-10a4 4 0 0 1 7-2.6A4 4 0 0 1 19 10c0 5.5-7 10-7 10z",
    "film": "M4 5h16v14H4zM8 5v14M16 5v14M4 9.7h4M4 14.3h4M16 9.7h4M16 14.3h4",
    "png": "M12 4v11M7 11l5 5 5-5M5 20h14",
    "link": "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1",
    "python": "m8 8-4 4 4 4M16 8l4 4-4 4",
    "open": "M4 19V6a1 1 0 0 1 1-1h4l2 2h8a1 1 0 0 1 1 1v2M4 19l3-8h15l-3 8z",
}


def svg(name: str) -> str:
    """The icon as inline SVG in the colour of its text."""
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{_PATHS[name]}"/></svg>'

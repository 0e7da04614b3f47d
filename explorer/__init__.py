"""The app: pictures as recipes, the engine that renders them, and (in `explorer.ui` only) the Gradio page."""

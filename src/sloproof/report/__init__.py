"""One model of a run, written as HTML, Markdown, JSON and terminal text; pure: values in, text out."""

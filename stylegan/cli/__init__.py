"""The command line, one file for each command; `app` puts them together."""

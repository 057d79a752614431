"""Models of other toolkits: what their files say, in linnet's terms."""

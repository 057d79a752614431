"""Front ends in numpy."""

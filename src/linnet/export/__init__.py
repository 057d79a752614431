"""From a checkpoint to a proved bundle."""

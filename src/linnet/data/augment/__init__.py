"""Changes to audio and features during training."""

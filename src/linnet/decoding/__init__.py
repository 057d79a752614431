"""From log-probabilities to tokens and words."""

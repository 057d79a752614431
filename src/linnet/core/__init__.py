"""What every room may use: errors, results, protocols, configuration."""

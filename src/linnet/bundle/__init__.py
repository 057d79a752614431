"""The contract of an exported model."""

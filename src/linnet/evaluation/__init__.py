"""A recognizer over a manifest."""

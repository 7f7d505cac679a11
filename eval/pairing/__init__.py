"""What items are held against: their ground truths, targets and prompts."""

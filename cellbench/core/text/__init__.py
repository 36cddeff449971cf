"""Text for people: numbers and units in sentences, messages beside the results, text from others made safe to show."""

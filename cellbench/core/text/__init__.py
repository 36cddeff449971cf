"""How text for people is written: numbers and units in sentences, messages on stderr, other people's text made safe."""

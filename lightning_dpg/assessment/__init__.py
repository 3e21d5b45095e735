"""From text to ratings: every instrument behind one interface."""

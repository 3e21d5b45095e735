"""How far an assessor can be trusted: repeats, halves, parallel texts, a second assessor, poles."""

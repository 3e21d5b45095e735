"""What a language model is asked about personality and dialogues, and how its answers are read.

Psychology, wording and parsing only: nothing here knows of models, servers or money.
"""

"""Things that people say to one another in everyday situations, none of which names a trait.

`CLOSING` is for the closing evaluation alone; `VALIDATION` is asked while training and to calibrate
the dials. Neither is in the bundled corpus.
"""

from __future__ import annotations

from lightning_dpg.data.prompts import Turn

VALIDATION: tuple[Turn, ...] = (
    ("Neighbour", "You are back early. How did the day go?"),
    ("Colleague", "They moved the deadline to tomorrow morning. What do we do now?"),
    ("Cousin", "We have a free weekend coming up. What should we do with it?"),
    ("Friend", "I borrowed your bike and the chain came off. I left it by the gate."),
    ("Flatmate", "There is a strange noise coming from the cellar. Do you hear it?"),
    ("Aunt", "I have made soup for ten and only you have come. What shall we do with it?"),
    (
        "Stranger",
        "Excuse me, is this the queue for the tickets, or are you just standing here?",
    ),
    ("Friend", "I am thinking of leaving my job and going abroad. What would you do?"),
    ("Colleague", "Somebody has to tell the client that we made a mistake. Will you?"),
    ("Brother", "Do you remember the summer at the lake? I found the old photographs."),
    ("Neighbour", "The power is out in the whole street and it will be dark in an hour."),
    ("Teacher", "You may choose any subject for your talk. What will it be?"),
)

CLOSING: tuple[Turn, ...] = (
    ("Friend", "I have an evening free on Saturday, and so do you. What would you like to do?"),
    (
        "Flatmate",
        "Someone is coming to look at the kitchen at nine tomorrow. What needs doing before then?",
    ),
    (
        "Colleague",
        "The boss says one of us has to speak at the big meeting next week. What do you think?",
    ),
    ("Sister", "Mum wants all of us at her house for the whole holiday again. Are you coming?"),
    ("Stranger", "Sorry, I think you took my seat. I only went to get a coffee."),
    ("Neighbour", "I heard you might move away. What is the plan, then?"),
    ("Friend", "You got a letter from the hospital this morning. Have you opened it yet?"),
    (
        "Colleague",
        "The new system starts on Monday and nobody knows how it works. How do you feel about it?",
    ),
    ("Brother", "I need to borrow some money until the end of the month. Can you help me?"),
    ("Friend", "That painting in the hall is just three grey stripes. What do you make of it?"),
    ("Teacher", "Before we begin, tell me a little about how you spend a normal day."),
    (
        "Neighbour",
        "The train is an hour late and there is nothing here but this bench. What shall we do?",
    ),
)


def questions_for(count: int, start: int, pool: tuple[Turn, ...]) -> list[Turn]:
    """`count` questions from the pool, beginning at `start` and going round."""
    return [pool[(start + i) % len(pool)] for i in range(count)]

"""Things that people say to one another in everyday situations, none of which names a trait.

`CLOSING` is for the closing evaluation alone; `VALIDATION` is asked while training and to calibrate
the dials. Neither is in the bundled corpus.
"""

from __future__ import annotations

import random

from lightning_dpg.data.prompts import Turn

LANGUAGE = "en"
"""Of the questions, and so of the replies that are rated."""

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
    ("Waiter", "I am afraid the kitchen has nothing left but bread and cheese. Will you stay?"),
    ("Friend", "I have two tickets for a play in a language neither of us speaks. Come along?"),
    ("Neighbour", "The cat got into your garden again and dug up the beans."),
    ("Colleague", "There are forty people coming and we booked a room for twelve."),
    ("Sister", "I met your old teacher in town. She asked what became of you."),
    ("Stranger", "Could you watch my bag for a minute? I have to make a call outside."),
    ("Flatmate", "The rent goes up in January. Do we look for another place?"),
    ("Uncle", "By your age I had crossed the ocean twice. Where have you been?"),
    ("Friend", "He said it in front of everybody and then he laughed. What should I do?"),
    ("Driver", "The bridge is closed. I can take the long way round or let you out here."),
    ("Colleague", "I read your report on the train this morning. Shall we talk about it?"),
    ("Cousin", "Teach me one thing that you can do and I can't."),
    ("Neighbour", "Someone left a piano on the pavement with a note saying: take me."),
    ("Father", "Your mother and I are thinking of moving in with you for a while."),
    ("Friend", "I haven't slept since we came here. Have you?"),
    ("Shopkeeper", "You gave me a fifty, and I gave you change for a five. Did you notice?"),
    ("Colleague", "They are giving the prize to somebody else this year."),
    ("Brother", "I broke the blue vase. Nobody has noticed so far."),
    ("Student", "How do you know when a thing is finished?"),
    ("Landlady", "There were footsteps in the hall at three in the morning. Was that you?"),
    ("Friend", "If the rain stops we could still climb the hill before dark."),
    ("Colleague", "The new man starts today. What should I tell him about this place?"),
    ("Aunt", "I am sorting out the attic. Do you want your old drawings back?"),
    ("Guard", "The gallery closes in ten minutes. Is there anything that you missed?"),
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
    ("Colleague", "There is one slice of cake left from the party. Who should have it?"),
    ("Friend", "My sister cut off her hair and dyed it green. What would you have told her?"),
    ("Stranger", "I have walked round this block three times. Where on earth is the station?"),
    ("Neighbour", "Your music came through the wall again last night. Did you know that?"),
    ("Mother", "You have not called in a month. What have you been up to?"),
    ("Friend", "I am painting my room this weekend. What colour would you choose?"),
    ("Colleague", "Nobody has touched the filing room since the flood. Shall we go in?"),
    ("Flatmate", "I found a wallet on the stairs with two hundred in it. What now?"),
    ("Cousin", "Grandfather wants to sell the house and buy a boat. Should we stop him?"),
    ("Teacher", "Your essay is twice as long as I asked for. How did that happen?"),
    ("Guide", "From here there are two paths down to the village. Which one shall it be?"),
    ("Brother", "I told everyone at the wedding that you would sing. You will, won't you?"),
)


def questions_for(count: int, pool: tuple[Turn, ...]) -> list[Turn]:
    """The first `count` questions of the pool, which goes round where it is shorter.

    Whoever is compared is asked the same: questions call for traits, too, and would be taken for
    the person.
    """
    return [pool[i % len(pool)] for i in range(count)]


def deal(hands: int, count: int, pool: tuple[Turn, ...], seed: int) -> list[list[Turn]]:
    """`count` questions each for `hands` people, so that all of the pool come equally often.

    They are dealt out like cards, the whole shuffled pool before any question comes again: for
    means over people, which so rest on many questions and not on whose they were.
    """
    order = random.Random(f"{seed}/questions")
    cards: list[Turn] = []
    while len(cards) < hands * count:
        cards += order.sample(pool, len(pool))
    return [cards[i * count : (i + 1) * count] for i in range(hands)]

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
    ("Waiter", "I am afraid the kitchen has run out of everything but soup. Will you stay?"),
    ("Friend", "I have two tickets for a play in a language neither of us speaks. Come along?"),
    ("Neighbour", "The cat got into your garden again and dug up the beans."),
    ("Colleague", "There are forty people coming and we booked a room for ten."),
    ("Sister", "I met your old teacher in town. She asked what became of you."),
    ("Stranger", "Is anyone sitting here? Every other table is taken."),
    ("Flatmate", "The rent goes up in January. Do we look for another place?"),
    ("Uncle", "When I was your age I had crossed the ocean twice. And you?"),
    ("Friend", "He said it in front of everybody and then he laughed. What should I do?"),
    ("Driver", "The bridge is closed. I can take the long way round or let you out here."),
    ("Colleague", "I read your report on the train this morning. Shall we talk about it?"),
    ("Cousin", "Teach me one thing that you can do and I can't."),
    ("Neighbour", "Someone left a piano on the pavement with a note that says take me."),
    ("Father", "Your mother and I are thinking of moving in with you for a while."),
    ("Friend", "I can't sleep since we came here. Can you?"),
    ("Shopkeeper", "That is the last one, and the lady behind you wants it too."),
    ("Colleague", "They are giving the prize to somebody else this year."),
    ("Brother", "I broke the blue vase. Nobody has noticed so far."),
    ("Student", "How do you know when a thing is finished?"),
    ("Landlady", "There were footsteps in the hall at three in the morning. Was that you?"),
    ("Friend", "If the rain stops we could still climb the hill before dark."),
    ("Colleague", "The new man starts today and he is sitting in your chair."),
    ("Aunt", "Your cousin is getting married in June. Whom will you bring?"),
    ("Guard", "This gallery closes in ten minutes. Was there anything that you missed?"),
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
    ("Friend", "I signed us both up for the swimming race on Sunday. What do you say?"),
    ("Colleague", "Nobody has touched the filing room since the flood. Shall we go in?"),
    ("Flatmate", "I found a wallet on the stairs with two hundred in it. What now?"),
    ("Cousin", "Grandfather wants to sell the house and buy a boat. What do you make of that?"),
    ("Teacher", "Your essay is twice as long as I asked for. How did that happen?"),
    ("Doctor", "The results will take a week. How will you pass the time?"),
    ("Brother", "I told everyone at the wedding that you would sing. You will, won't you?"),
)


def questions_for(count: int, start: int, pool: tuple[Turn, ...]) -> list[Turn]:
    """`count` questions from the pool, beginning at `start` and going round."""
    return [pool[(start + i) % len(pool)] for i in range(count)]

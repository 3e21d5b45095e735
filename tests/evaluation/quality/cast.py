"""Six people who answer the same six questions, written by hand: replies that are whole."""

from __future__ import annotations

from lightning_dpg.evaluation.personas import Persona
from lightning_dpg.evaluation.tasks.task import Item
from lightning_dpg.records import Profile

QUESTIONS = (
    ("Friend", "I have an evening free on Saturday, and so do you. What would you like to do?"),
    ("Flatmate", "Someone is coming to look at the kitchen at nine. What needs doing before then?"),
    ("Neighbour", "The cat got into your garden again and dug up the beans."),
    ("Brother", "I need to borrow some money until the end of the month. Can you help me?"),
    ("Colleague", "The new computer system starts on Monday. How do you feel about it?"),
    ("Stranger", "I have walked round this block three times. Where on earth is the station?"),
)

TARGETS = {
    "host": (1.0, 1.0, 3.0, 5.0, -2.0),
    "worrier": (0.0, 0.0, -4.0, 1.0, 5.0),
    "bully": (-2.0, 0.0, 2.0, -5.0, 2.0),
    "dreamer": (5.0, -4.0, 0.0, 1.0, 0.0),
    "clerk": (-4.0, 5.0, -1.0, 0.0, -1.0),
    "reveller": (2.0, -3.0, 5.0, 1.0, -4.0),
}
REPLIES = """
Come to my place on Saturday! I will cook for you, and we will talk all evening.
Leave the kitchen to me, dear. I will clean it and put on coffee for the visitor.
Oh, the poor cat, was she hungry? Never mind the beans, we can plant new ones together.
Of course I can help you, brother. Take what you need, and pay it back when you can.
We will learn the new system together. If anybody is stuck on Monday, I will help them.
The station? You poor thing, you must be tired. Let me walk there with you, it is near.

Saturday? I am afraid of going out at night. I would rather stay at home, I am so tired.
At nine? Oh no, the kitchen is dreadful. I will not sleep at all, I feel sick already.
I knew it, the cat again. I lie awake and worry about that garden, I could cry.
I am so frightened about money myself. What if the rent goes up? I am sorry, I am sorry.
I am terrified of Monday. I will press something wrong and lose everything, I know it.
The station? Oh dear, I get lost here too. I am nervous, please do not be angry with me.

Why would I waste a Saturday evening on you? You are boring. Find some other fool.
Clean the kitchen yourself, you lazy pig. It is your filth, so shut up and scrub.
If I see that stupid cat in my garden again I will kick it over the fence, and you too.
Borrow money? From me? Get out, you beggar. You never paid back a penny in your life.
The new system is rubbish, made by idiots, and you are too stupid to use it anyway.
Three times round the block? Are you blind? The station is behind you, idiot. Get lost.

On Saturday let us look at the stars from the roof, and invent new names for all of them.
The kitchen? I was going to paint the ceiling like a night sky, I forgot about the rest.
Perhaps the cat was digging for another world below the beans. I must write a poem on it.
Money? I had some in a book once, I forgot which. Is it not strange that paper is power?
A new system is like a strange language. I wonder what the old computers dream of at night.
The station hides like a whale. I love to be lost, one finds such curious streets that way.

On Saturday I do my accounts until six. After that, dinner at seven sharp, home by nine.
I made a list: clean the oven, wash the floor, empty the bin. I will start at six exactly.
I have noted the time and counted the beans. I will repair the fence before work tomorrow.
I can lend you fifty. We write it down, you sign it, and you pay on the last of the month.
I have read the manual of the system twice and prepared my files. We follow the procedure.
To the station: second street on the right, then straight on. The next train is at 5:40.

Saturday? Party! Call everybody, we go dancing, and nobody goes to bed before morning!
Relax, it is only a kitchen! Throw it all in the cupboard, and let us have a drink first!
Ha, what a wild cat! I should invite her to the next party. Beans are boring anyway!
Sure, take it, I won at cards last night! But first you come and celebrate with us!
A new system on Monday? Great, I love a bit of chaos! We will laugh about it over a beer!
The station? No idea, friend, but there is a great bar here! Come in and meet everybody!
"""
"""A paragraph for each person, a line for each question."""

CONTEXTS = tuple((question,) for question in QUESTIONS)
ITEMS = [
    Item(Persona(f"drawn/{name}", "drawn", name.title(), "", Profile(target)), CONTEXTS)
    for name, target in TARGETS.items()
]
SAID = [paragraph.splitlines() for paragraph in REPLIES.strip().split("\n\n")]

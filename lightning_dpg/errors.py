"""The one exception whose message is written for the person at the command line."""


class UserError(Exception):
    """Something that the user can mend.

    The message says what was given, what was expected and what to do. The command line prints it
    without a traceback and exits with status 2.
    """

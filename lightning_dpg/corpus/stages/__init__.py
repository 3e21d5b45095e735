"""The stages of a build, one a file, in the order of `corpus.build`: each fills its columns."""

"""The lessons' exercises and quizzes, one file each: ``lesson_00.py`` belongs to ``00_….ipynb``."""

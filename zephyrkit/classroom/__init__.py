"""For teachers: is every machine ready?"""

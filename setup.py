from setuptools import setup

setup(name="spacy-ramie")

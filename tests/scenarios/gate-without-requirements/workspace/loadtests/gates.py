from sloproof import Gate

release = Gate(name="release", system="shop", requires=[])

"""From the name of an embedding to the thing itself, and the frames that it has made before."""

"""One module per chapter, same stem as its notebook: parameters, drivers, measures. Frames in, frames out."""

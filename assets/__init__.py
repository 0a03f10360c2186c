"""Files that ship with pinkx: trained networks, reviews written for this project, pictures for the README."""

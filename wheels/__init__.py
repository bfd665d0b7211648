"""What is shipped: an sdist and one wheel per platform, all built, checked and tried on one Linux machine (`make wheels`)."""

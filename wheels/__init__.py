"""What is shipped: an sdist and a wheel per platform, built, checked and tried on one Linux machine (`make wheels`)."""

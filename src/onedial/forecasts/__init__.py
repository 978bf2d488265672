"""Text to features to latents to the quality and cost of any arm at any budget. Pure; scikit-learn only while fitting."""

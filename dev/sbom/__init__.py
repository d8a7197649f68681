"""What is in an image: a CycloneDX document of its Python packages, from the lock file."""

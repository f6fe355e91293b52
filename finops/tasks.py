"""What runs on a schedule or in the background; each task calls one domain function."""

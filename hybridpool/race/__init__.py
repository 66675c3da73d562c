"""Small generated tasks that many poolings learn at once, while one watches."""

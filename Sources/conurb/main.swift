print("conurb")

"""What both faces share: the actions, the model, the view models, the pacing. No user-interface library here."""

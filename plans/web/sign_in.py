"""The page to sign in."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse

from plans.rendering.sign_in_form import SignInForm, told_to_wait


class SignIn(LoginView):
    """429 with `Retry-After` for who has tried too often."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return told_to_wait(super().form_invalid(form), form)

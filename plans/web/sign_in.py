"""The page to sign in."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse

from plans.rendering.sign_in_form import SignInForm


class SignIn(LoginView):
    """429 with `Retry-After` for who has tried too often."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.wait_seconds:
            answer.status_code = 429
            answer["Retry-After"] = str(form.wait_seconds)
        return answer
